CREATE UNIQUE INDEX votesUniqueIndex ON votes (commentHex, commenterHex);
