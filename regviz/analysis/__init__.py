"""Views of trained networks, computed: paths, forces, uncertainty, criteria, several seeds."""
