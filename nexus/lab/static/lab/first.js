// Before anything is painted: that there is script, and the theme that was chosen.
"use strict";

document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("nexus-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // No storage (a page from disk, a private window): the system's theme it is.
}
