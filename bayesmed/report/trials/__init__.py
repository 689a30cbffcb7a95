"""Reports of fits of one trial without sites."""
