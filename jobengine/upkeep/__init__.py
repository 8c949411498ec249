"""What runs in the background, all alike: start and stop."""
