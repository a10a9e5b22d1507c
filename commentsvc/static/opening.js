// A page that isolates itself (Cross-Origin-Opener-Policy) loses the popup it opens; the login then goes on in
// a window of its own, and this one has nothing to wait for.
if (!window.opener) window.close();
