"""Rules as they are written, in the application's document and in the configuration, become Routes."""
