"""What bench/edge is made of: a machine with the product and its peers side by side, and what puts load on them."""
