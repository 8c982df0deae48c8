"""Commands on codes of what people said and wrote: by people, rules and models."""
