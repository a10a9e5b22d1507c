// This window goes on to a server that a reader named: it is to get no hold of the frame that opened the window. The
// providers that an operator chose keep it, or Cancel in the frame could not close the window.
window.opener = null;
