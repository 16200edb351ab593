export function open(dialog) {
  dialog.addEventListener('cancel', event => {
    event.preventDefault();
    dialog.querySelector('[data-dismiss]')?.click();
  });
  dialog.showModal();
}
