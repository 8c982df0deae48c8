"""The border that every file of a dataset passes before it is read: how large each part of one may be."""
