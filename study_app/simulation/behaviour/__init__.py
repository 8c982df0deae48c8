"""What simulated participants do, and how it differs between them."""
