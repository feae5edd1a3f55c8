"""The documentation: reference tables made from the source, links that are followed, commands that are run."""
