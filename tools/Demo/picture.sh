#!/usr/bin/env bash
# Makes demo.png, the README's picture, from a real run: the demo in a terminal of 100 by 28, recorded after 25 s.
# Needs the .NET SDK and Debian's tmux, python3, chromium, fonts-dejavu-core and pngquant.
set -euo pipefail
cd "$(dirname "$0")"

dotnet build -c Release -v quiet --nologo >&2
work=$(mktemp -d)
tmux=(tmux -L "devicehub-picture-$$")
trap '"${tmux[@]}" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

"${tmux[@]}" -f /dev/null new-session -d -x 100 -y 28 \
  "TERM=xterm-256color COLORTERM=truecolor exec ../../artifacts/bin/Demo/release/devicehub-demo --language en"
sleep 25
"${tmux[@]}" capture-pane -p -e > "$work/screen.ansi"
"${tmux[@]}" send-keys C-c C-c

python3 - "$work/screen.ansi" > "$work/screen.html" <<'PYTHON'
import html, re, sys

def color(n):
    base = ["#000", "#c55", "#6bbf6b", "#d7b65d", "#6a9fd8", "#b48ead", "#5fb3b3", "#d0d0d0",
            "#666", "#e06c6c", "#7fd17f", "#e5c76b", "#82aaff", "#c792ea", "#7fdbca", "#fff"]
    if n < 16:
        return base[n]
    if n >= 232:
        return "#" + f"{8 + (n - 232) * 10:02x}" * 3
    n -= 16
    return "#" + "".join(f"{0 if c == 0 else 55 + 40 * c:02x}" for c in (n // 36, n // 6 % 6, n % 6))

fg, bold, out = None, False, []
for part in re.split(r"(\x1b\[[0-9;]*m)", open(sys.argv[1], encoding="utf-8").read().rstrip()):
    if not part.startswith("\x1b["):
        style = (f"color:{fg};" if fg else "") + ("font-weight:bold;" if bold else "")
        out.append(f'<span style="{style}">{html.escape(part)}</span>' if style else html.escape(part))
        continue
    codes = [int(c or 0) for c in part[2:-1].split(";")]
    while codes:
        c = codes.pop(0)
        if c == 0: fg, bold = None, False
        elif c == 1: bold = True
        elif c == 22: bold = False
        elif c == 39: fg = None
        elif 30 <= c <= 37: fg = color(c - 30)
        elif 90 <= c <= 97: fg = color(c - 82)
        elif c == 38 and codes[0] == 5: fg = color(codes[1]); codes = codes[2:]
        elif c == 38 and codes[0] == 2: fg = "#%02x%02x%02x" % tuple(codes[1:4]); codes = codes[4:]
print('<meta charset="utf-8"><style>body{margin:0;background:#15181d}'
      'pre{margin:0;padding:14px 16px;color:#d8dce3;font:14px/1.3 "DejaVu Sans Mono",monospace}</style><pre>' + "".join(out) + "</pre>")
PYTHON

chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars --force-device-scale-factor=2 \
  --user-data-dir="$work/chromium" --window-size=876,538 --screenshot="$work/demo.png" "file://$work/screen.html" 2>/dev/null
pngquant --force --quality=60-95 --output demo.png 48 "$work/demo.png"
ls -l demo.png
