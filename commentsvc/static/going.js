// This window goes on to a provider. The frame that opened it may close it; the provider gets no hold of the frame.
window.opener = null;
