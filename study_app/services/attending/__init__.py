"""What researchers do for one participant, by the means that participants have themselves."""
