// The popup's last page: its work is done. The frame that opened it asks the service by itself.
window.close();
