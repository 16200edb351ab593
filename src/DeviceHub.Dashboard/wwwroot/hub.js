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

// Escape is "no" to what asks; a dialog has its own.
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && !event.isComposing) {
    event.target.closest?.('.ask:not(dialog)')?.querySelector('[data-dismiss]')?.click();
  }
});

// Only what a person does keeps the sign-in from ending for want of use. A live page cannot tell it by its connection: it answers every change that it is sent.
let used = Date.now();
for (const deed of ['click', 'keydown', 'input', 'wheel', 'touchstart']) {
  document.addEventListener(deed, () => {
    if (Date.now() - used >= 30_000) {
      used = Date.now();
      fetch('session', { cache: 'no-store', keepalive: true }).catch(() => { /* The bar of a lost connection says so. */ });
    }
  }, { capture: true, passive: true });
}

// A page that opened: those who hear pages hear its heading. Who types already is left alone.
window.focusHeading = () => {
  const heading = document.querySelector('h1');
  if (heading && !document.activeElement?.matches('input, textarea, select')) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
};

// What asks something takes the focus, and when it is gone gives it back: to what opened it, or to what stands in its place by now, or else to the heading.
window.holdFocus = inside => {
  const asking = inside.closest('dialog, [tabindex="-1"]');
  const opener = document.activeElement;
  const box = opener?.parentElement;
  const place = [...box?.children ?? []].indexOf(opener);
  const canTake = element => element?.isConnected && element.matches('button, a[href]') && !element.disabled && element.checkVisibility();
  if (!asking.contains(opener)) {
    (asking.querySelector('[data-first]') ?? asking).focus();
  }
  new MutationObserver((_, observer) => {
    if (!asking.isConnected) {
      observer.disconnect();
      if (!document.activeElement || document.activeElement === document.body) {
        const there = [opener, ...box?.isConnected ? [box.children[place], ...box.querySelectorAll('button, a[href]')] : []].find(canTake);
        there ? there.focus({ preventScroll: true }) : focusHeading();
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
};

document.addEventListener('click', async event => {
  if (event.target.closest('[data-reload]')) {
    location.reload();
  } else if (event.target.closest('[data-reconnect]')) {
    show('retrying');
    try {
      if (!await Blazor.reconnect()) {
        readAgain();
      }
    } catch {
      show('failed').querySelector('[data-reconnect]').focus();
    }
  }
});

// As Blazor's script shows it, which has given up by the time that somebody presses a button.
function show(state) {
  const bar = document.getElementById('components-reconnect-modal');
  bar.className = `reconnect components-reconnect-${state}`;
  return bar;
}

// What somebody types and has not sent; a search stands in the address.
let typed;
document.addEventListener('input', event => {
  if (event.target.matches('main :is(textarea, input.text)') && !event.target.closest('[role=search]')) {
    typed = event.target;
  }
});

// A hub that was started again knows nothing of the old page: it is read again, with the address that it has, but not over what somebody types.
function readAgain() {
  if (typed?.isConnected && typed.value) {
    show('rejected');
  } else {
    location.reload();
  }
}

document.addEventListener('DOMContentLoaded', () => {
  document.getElementById('components-reconnect-modal')?.addEventListener('components-reconnect-state-changed', event => {
    if (event.detail?.state === 'rejected') {
      readAgain();
    }
  });
});
