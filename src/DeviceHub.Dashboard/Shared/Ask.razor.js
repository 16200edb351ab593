export function open(dialog) {
  dialog.addEventListener('cancel', event => {
    event.preventDefault();
    dialog.querySelector('[data-dismiss]')?.click();
  });
  holdFocus(dialog);
  dialog.showModal();
  return {
    dispose() {
      if (dialog.isConnected) {
        dialog.close();
      }
    },
  };
}
