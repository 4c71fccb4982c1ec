"""One module for each resource; each has a `router`, and names the permission of each route."""
