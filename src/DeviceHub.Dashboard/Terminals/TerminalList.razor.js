// Rows have one height, which the list of a hundred thousand is measured with: of a table's row, or of a card on a phone.
export function rowHeight() {
  return matchMedia('(max-width: 760px)').matches ? 96 : 37;
}

// Arrows walk the rows, the space bar selects one, enter follows the link as everywhere; a step back comes to the row that was left.
export function keys(at, height) {
  const box = () => document.querySelector('.terminals');
  const links = () => [...document.querySelectorAll('.terminals a.row-link')];
  const walk = event => {
    const link = event.target.closest?.('.terminals a.row-link');
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (link && step) {
      const all = links();
      const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(link) + step))];
      event.preventDefault();
      next?.focus({ preventScroll: true });
      next?.closest('tr').scrollIntoView({ block: 'nearest' });
    } else if (link && event.key === ' ') {
      event.preventDefault();
      link.closest('tr').querySelector('input[type=checkbox]')?.click();
    } else if (event.key === 'ArrowDown' && event.target.matches?.('[data-find]')) {
      event.preventDefault();
      links()[0]?.focus();
    }
  };
  const leave = event => {
    if (event.target.closest?.('.terminals a.row-link')) {
      const here = new URL(location.href);
      const row = Math.floor(box().scrollTop / height);
      here.searchParams.delete('at');
      if (row > 0) {
        here.searchParams.set('at', row);
      }
      history.replaceState(history.state, '', here);
    }
  };
  // The box has its height when the first rows are there.
  const scroll = tries => {
    const list = box();
    if (list && list.scrollHeight >= at * height) {
      list.scrollTop = at * height;
    } else if (tries > 0) {
      requestAnimationFrame(() => scroll(tries - 1));
    }
  };
  document.addEventListener('keydown', walk);
  document.addEventListener('click', leave, { capture: true });
  if (at > 0) {
    scroll(120);
  }
  return {
    dispose() {
      document.removeEventListener('keydown', walk);
      document.removeEventListener('click', leave, { capture: true });
    },
  };
}
