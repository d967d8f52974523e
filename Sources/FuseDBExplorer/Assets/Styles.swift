extension Assets {
  /// How pages look: in light and dark, from 320 px on. Colours stand at the top, for the test of contrast.
  static let styles = """
    :root {
      color-scheme: light dark;
      --page: #fbfbfa; --card: #ffffff; --line: #dcdfe4; --soft: #f0f2f4;
      --text: #1b1f24; --quiet: #57606a; --accent: #0a5ca0; --on-accent: #ffffff;
      --good: #176639; --bad: #a61b1b; --escape: #8a3b00; --escape-back: #fdf0e3;
      --c0: #57606a; --c1: #0a5ca0; --c2: #b3641c; --c3: #3d7f4d; --c4: #7d55a6; --c5: #b0405f; --c6: #21817f; --c7: #80702c;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #14171a; --card: #1b1f23; --line: #333a41; --soft: #22272c;
        --text: #e7e9ec; --quiet: #a6b0ba; --accent: #7cbaf7; --on-accent: #0d1b2a;
        --good: #7fd39b; --bad: #ff9c96; --escape: #ffbe85; --escape-back: #34281c;
        --c0: #a6b0ba; --c1: #5fa6ea; --c2: #e29a4f; --c3: #6fbb80; --c4: #b492db; --c5: #e4809b; --c6: #4fb8b5; --c7: #bfae60;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
    a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: 1px; }
    a:hover { text-decoration-thickness: 2px; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    main:focus { outline: none; }
    code { font: .92em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
    bdi { unicode-bidi: isolate; }
    h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; margin: 1.75rem 0 1rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.05rem; line-height: 1.35; font-weight: 650; margin: 0 0 .75rem; overflow-wrap: anywhere; }
    h2 code { font-size: 1.08rem; }
    h3 { font-size: .95rem; font-weight: 650; margin: 1.25rem 0 .5rem; }
    p { margin: 0 0 .75rem; max-width: 75ch; }
    .lead { font-size: 1.05rem; }
    .quiet, caption, dt, footer { color: var(--quiet); }
    .quiet { font-size: .9rem; }
    .good { color: var(--good); }
    .bad { color: var(--bad); }
    .skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
    .skip:focus { top: .5rem; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    body > header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
    body > header { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1.1rem; padding-top: .9rem; padding-bottom: .9rem; border-bottom: 1px solid var(--line); }
    .brand { font-weight: 700; color: var(--text); text-decoration: none; }
    .name { font-weight: 600; text-decoration: none; overflow-wrap: anywhere; }
    header nav { display: flex; flex-wrap: wrap; gap: .1rem; }
    header nav a { color: var(--text); text-decoration: none; padding: .3rem .65rem; border-radius: 6px; }
    header nav a:hover { background: var(--soft); }
    header nav a[aria-current] { background: var(--soft); font-weight: 600; box-shadow: inset 0 -2px var(--accent); }
    form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 0; }
    .search { flex: 1 1 17rem; flex-wrap: nowrap; }
    input { font: inherit; font-size: 1rem; color: var(--text); background: var(--card); border: 1px solid var(--quiet); border-radius: 6px; padding: .4rem .6rem; min-width: 0; max-width: 100%; }
    input::placeholder { color: var(--quiet); opacity: 1; }
    .search input { flex: 1; font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .92rem; }
    button { font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 6px; padding: .45rem 1rem; cursor: pointer; }
    button:hover { filter: brightness(1.08); }
    .filter { margin: 1.5rem 0; padding-top: 1rem; border-top: 1px solid var(--line); }
    .filter label { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; max-width: 100%; }
    [hidden] { display: none; }
    section { margin: 0 0 1.25rem; padding: 1.1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0; }
    section > :last-child { margin-bottom: 0; }
    .grid { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); margin-bottom: 1.25rem; }
    .grid > section { margin: 0; }
    .cards { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); }
    .card { padding: 1.1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0; }
    .figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); margin: 0 0 1.5rem; }
    section .figures { margin-bottom: 1rem; }
    .figure dt { font-size: .9rem; }
    .figure dd { margin: 0; }
    .figure strong { display: block; font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
    .facts { display: grid; gap: .35rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); margin: .75rem 0 0; }
    .facts > div { min-width: 0; }
    .facts dt { font-size: .85rem; }
    .facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    .scroll { overflow-x: auto; margin-bottom: .5rem; }
    table { border-collapse: collapse; width: 100%; font-size: .94rem; }
    caption { text-align: left; font-size: .88rem; padding-bottom: .35rem; }
    th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line); font-weight: 400; }
    thead th { border-top: 0; color: var(--quiet); font-size: .85rem; white-space: nowrap; }
    tbody th { min-width: 7rem; }
    tbody th code { font-size: 1em; }
    .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    th.n, td.n { padding-right: 1rem; }
    .barcell { width: 40%; min-width: 5rem; vertical-align: middle; }
    .bar { display: block; width: 100%; height: .7rem; }
    .bar rect { fill: var(--c1); }
    .stack { display: block; width: 100%; height: 1.6rem; border-radius: 5px; margin-bottom: 1rem; background: var(--soft); }
    .swatch { width: .8rem; height: .8rem; margin-right: .55rem; vertical-align: -.08rem; }
    .c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
    .c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .c7 { fill: var(--c7); }
    .esc { color: var(--escape); background: var(--escape-back); border-radius: 3px; padding: 0 .1em; }
    .hex { word-spacing: .15em; }
    .num { font-variant-numeric: tabular-nums; }
    .kind { display: block; font-size: .82rem; color: var(--quiet); }
    .value dl { margin: 0; }
    .value dl > div { display: grid; grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr); gap: 0 1rem; padding: .12rem 0; }
    .value dl dl, .value ol { border-left: 2px solid var(--line); padding-left: .8rem; }
    .value ol { margin: 0; padding-left: 2.4rem; }
    .value dt { overflow-wrap: anywhere; }
    .value dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
    .answer .value { margin: .25rem 0 1rem; padding: .7rem .9rem; background: var(--soft); border-radius: 8px; }
    .answer .value .quiet, .answer .value dt { color: var(--quiet); }
    td .value { min-width: 10rem; }
    td .value dl > div { grid-template-columns: minmax(0, 1fr); padding: 0 0 .25rem; }
    td .value dt { font-size: .82rem; }
    td .value .num { font-size: .92em; }
    td:has(> .value) { width: 40%; }
    .others { margin-left: .6rem; font-size: .88rem; }
    .keys { list-style: none; margin: 0 0 .75rem; padding: 0; display: grid; gap: .15rem 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }
    .keys li { min-width: 0; padding: .1rem 0; }
    .tiles { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .4rem; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 100%), 1fr)); }
    .tiles a { display: flex; justify-content: space-between; gap: .8rem; padding: .35rem .65rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; text-decoration: none; }
    .tiles a:hover { border-color: var(--accent); }
    .tiles .n { color: var(--quiet); }
    .choices { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; }
    .choices a { display: block; padding: .3rem .75rem; border: 1px solid var(--line); border-radius: 6px; text-decoration: none; overflow-wrap: anywhere; }
    .choices a[aria-current] { border-color: var(--accent); font-weight: 600; }
    .crumbs { margin: 0 0 .75rem; overflow-wrap: anywhere; }
    .line { white-space: nowrap; }
    progress { width: 12rem; max-width: 100%; accent-color: var(--accent); vertical-align: middle; }
    footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .9rem; padding-bottom: 1.5rem; font-size: .9rem; }
    @media (max-width: 36rem) {
      body > header, main, footer { padding-left: .9rem; padding-right: .9rem; }
      section, .card { padding: .9rem; }
      h1 { margin: 1.25rem 0 .75rem; font-size: 1.3rem; }
      .value dl > div { grid-template-columns: minmax(0, 1fr); padding: .2rem 0; }
      .figures { grid-template-columns: 1fr 1fr; }
      .figure strong { font-size: 1.25rem; }
    }
    @media (min-width: 64rem) {
      .barcell { width: 60%; }
      td .value dl > div { grid-template-columns: max-content minmax(0, 1fr); gap: 0 .9rem; align-items: baseline; padding: 0; }
      td .value dl > div:has(> dd > dl, > dd > ol) { grid-template-columns: minmax(0, 1fr); }
    }
    @media (prefers-reduced-motion: reduce) { * { animation: none; transition: none; scroll-behavior: auto; } }

    """
}
