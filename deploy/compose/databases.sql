-- The databases of compose.yaml: the monolith that is split, and one for each shard.
CREATE DATABASE monolith;
CREATE DATABASE north;
CREATE DATABASE south;
CREATE DATABASE west;
