"""Operating the server: clock, isolation, anchors, health."""
