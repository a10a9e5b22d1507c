// Continues a long removal, which a request does a part of: presses the button that the page shows.
document.getElementById("onward").requestSubmit();
