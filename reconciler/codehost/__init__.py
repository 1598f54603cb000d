"""Code hosts (GitHub, GitLab): which one a pipeline runs on, and the few endpoints that the program asks there."""
