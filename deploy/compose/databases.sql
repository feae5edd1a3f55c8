-- The databases of compose.yaml: one for each shard.
CREATE DATABASE north;
CREATE DATABASE south;
CREATE DATABASE west;
