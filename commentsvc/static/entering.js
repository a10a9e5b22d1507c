// The frame that opened this window has yet to be given the pass to its page: ask again.
setTimeout(() => document.getElementById("entering").submit(), 500);
