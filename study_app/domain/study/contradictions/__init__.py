"""What a valid study file says and no step of a trial could do: each rule holds for every key of its kind."""
