"""What bench/acme is made of: a network of its own with nginx, pebble and stores in it, the clients, and the bare protocol."""
