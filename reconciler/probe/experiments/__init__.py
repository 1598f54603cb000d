"""One file for each resource of the API, found automatically: its facts as data, and the experiments beside them."""
