"""What goes over the wire, shape by shape."""
