"""What is declared into YAML: new files, and edits of files that people wrote, which keep all else as it is."""
