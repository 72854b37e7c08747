(function () {
  "use strict";
  var root = document.documentElement;
  function set(theme) { root.setAttribute("data-theme", theme); }
  if (location.hash === "#dark" || location.hash === "#light") { set(location.hash.slice(1)); }
  document.getElementById("theme").addEventListener("click", function () {
    var dark = root.getAttribute("data-theme") === "dark" ||
      (!root.hasAttribute("data-theme") && matchMedia("(prefers-color-scheme: dark)").matches);
    set(dark ? "light" : "dark");
  });
  document.querySelectorAll(".copy").forEach(function (button) {
    button.addEventListener("click", function () {
      var code = button.parentNode.querySelector("code");
      var range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      var done = function () { button.textContent = "copied"; };
      if (navigator.clipboard) { navigator.clipboard.writeText(code.textContent).then(done, function () {}); }
    });
  });
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
})();
