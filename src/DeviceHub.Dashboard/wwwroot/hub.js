// What works on every page without the server: keys, and the buttons of a lost connection.
document.addEventListener('keydown', event => {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable=true]');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const find = document.querySelector('[data-find]') ?? document.getElementById('find');
    if (find) {
      event.preventDefault();
      find.focus();
    }
  }
});

// A page that opened: those who hear pages hear its heading. Who types already is left alone.
window.focusHeading = () => {
  const heading = document.querySelector('h1');
  if (heading && !document.activeElement?.matches('input, textarea, select')) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
};

document.addEventListener('click', async event => {
  if (event.target.closest('[data-reload]')) {
    location.reload();
  } else if (event.target.closest('[data-reconnect]')) {
    try {
      if (!await Blazor.reconnect()) {
        location.reload();
      }
    } catch {
      // The hub is still away; the bar stays.
    }
  }
});

// A hub that was started again knows nothing of the old page: it is read again, with the address that it has.
document.addEventListener('DOMContentLoaded', () => {
  document.getElementById('components-reconnect-modal')?.addEventListener('components-reconnect-state-changed', event => {
    if (event.detail?.state === 'rejected') {
      location.reload();
    }
  });
});
