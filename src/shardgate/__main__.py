"""`python -m shardgate` is the command line."""

from shardgate.cli.main import app

if __name__ == "__main__":
    app()
