(function () {
  "use strict";
  var root = document.documentElement;
  function set(theme) { root.setAttribute("data-theme", theme); }
  function fromHash() {
    if (location.hash === "#dark" || location.hash === "#light") { set(location.hash.slice(1)); }
  }
  fromHash();
  addEventListener("hashchange", fromHash);
  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.getAttribute("data-theme") === "dark" ||
      (!root.hasAttribute("data-theme") && matchMedia("(prefers-color-scheme: dark)").matches);
    set(dark ? "light" : "dark");
  });
  document.querySelectorAll(".copy").forEach(function (button) {
    button.addEventListener("click", function () {
      var code = button.parentNode.querySelector("code");
      function say(word) {
        button.textContent = word;
        setTimeout(function () { button.textContent = "copy"; }, 2000);
      }
      function select() {
        var range = document.createRange();
        range.selectNodeContents(code);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        say(document.execCommand("copy") ? "copied" : "selected");
      }
      if (!navigator.clipboard) { select(); return; }
      navigator.clipboard.writeText(code.textContent).then(function () { say("copied"); }, select);
    });
  });
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
})();
