// Tells the page whether new rows may come in at the top: not while somebody reads, that is has scrolled down, points at a row or stands in the table.
// The table comes and goes with what is found, so it is looked for each time.
export function watch(page) {
  let told = true;
  const tell = () => {
    const box = document.querySelector('.payments');
    const may = window.scrollY < 80 && !box?.matches(':hover') && !box?.contains(document.activeElement);
    if (may !== told) {
      told = may;
      page.invokeMethodAsync('MayMove', may);
    }
  };
  const events = [[window, 'scroll'], [document, 'mouseover'], [document, 'focusin'], [document, 'focusout']];
  const later = () => setTimeout(tell);
  events.forEach(([target, name]) => target.addEventListener(name, later, { passive: true }));
  return {
    dispose() { events.forEach(([target, name]) => target.removeEventListener(name, later)); },
  };
}

export function toTop() {
  document.activeElement?.blur();
  window.scrollTo({ top: 0 });
}
