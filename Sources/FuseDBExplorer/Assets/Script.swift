extension Assets {
  /// What pages are more comfortable with. All of them work without it.
  ///
  /// Text that it shows comes as text, or in pages of this server, where it is escaped.
  static let script = """
    "use strict";
    (() => {
      const live = () => document.querySelector("#live");
      const working = () => live() && live().hasAttribute("data-live");

      // Takes what changed of this page from the server, for as long as a work is under way.
      const refresh = async () => {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = page.querySelector("#live");
        if (!next) return;
        live().replaceWith(document.adoptNode(next));
        wait();
      };
      let timer = 0;
      const wait = () => {
        clearTimeout(timer);
        if (working()) timer = setTimeout(() => refresh().catch(() => {}), 500);
      };

      // Verification is begun without another page, and its button may be gone afterwards.
      document.addEventListener("submit", async (event) => {
        const form = event.target;
        if (!form.hasAttribute("data-quiet")) return;
        event.preventDefault();
        await fetch(form.action, { method: "POST" });
        await refresh();
        document.querySelector("main").focus();
      });

      document.addEventListener("keydown", (event) => {
        if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.target.closest("input, textarea, select")) return;
        const box = document.querySelector("input[type=search]");
        if (!box) return;
        event.preventDefault();
        box.focus();
        box.select();
      });

      wait();
    })();

    """
}
