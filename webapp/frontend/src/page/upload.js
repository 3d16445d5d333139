// A chosen or dropped file is sent at once; its tile (drawn by the server) carries its id back with the form.
import { all, csrfToken, on } from './tools.js';

function waitingTile(file, box) {
  const tile = document.createElement('div');
  tile.className = 'file';
  tile.innerHTML = '<span class="file-type" aria-hidden="true"></span><span class="file-name"></span><span class="file-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0"><i></i></span><span class="file-meta" role="status"></span><span class="file-actions"><button class="btn btn-quiet btn-icon" type="button" data-file-remove><svg class="icon" aria-hidden="true"><use></use></svg></button></span>';
  tile.querySelector('.file-type').textContent = file.name.split('.').pop().slice(0, 4).toUpperCase();
  tile.querySelector('.file-name').textContent = file.name;
  tile.querySelector('.file-progress').setAttribute('aria-label', file.name);
  const cancel = tile.querySelector('button');
  cancel.setAttribute('aria-label', `${box.dataset.cancel} ${file.name}`);
  cancel.querySelector('use').setAttribute('href', `${document.body.dataset.icons}#x`);
  return tile;
}

function refuse(tile, words) {
  tile.classList.add('file-bad');
  tile.querySelector('.file-progress')?.remove();
  tile.querySelector('.file-meta').textContent = words;
}

function send(file, box) {
  const tile = waitingTile(file, box);
  if (!box.hasAttribute('data-multiple')) for (const old of all('.file', box)) old.remove();
  box.insertBefore(tile, box.querySelector('[data-drop]'));
  if (file.size > Number(box.dataset.max || Infinity)) { refuse(tile, box.dataset.tooLarge); return; } // the server would cut the line
  const request = new XMLHttpRequest(); // fetch does not tell how much has gone
  const meta = tile.querySelector('.file-meta');
  tile.addEventListener('remove-file', () => request.abort());
  request.upload.onprogress = (event) => {
    const done = event.lengthComputable ? Math.round(event.loaded / event.total * 100) : 0;
    tile.querySelector('.file-progress i').style.width = `${done}%`;
    tile.querySelector('.file-progress').setAttribute('aria-valuenow', done);
    meta.textContent = `${box.dataset.uploading} ${done}%`;
  };
  request.onload = () => {
    if (request.status >= 200 && request.status < 300) {
      const holder = document.createElement('template');
      holder.innerHTML = request.responseText.trim();
      tile.replaceWith(holder.content);
      box.dispatchEvent(new Event('input', { bubbles: true }));
    } else {
      let words = box.dataset.failed;
      try { words = JSON.parse(request.responseText).message || words; } catch { /* not our answer: a proxy's page */ }
      refuse(tile, words);
    }
  };
  request.onerror = () => refuse(tile, box.dataset.failed);
  request.open('POST', box.dataset.upload);
  request.setRequestHeader('X-CSRFToken', csrfToken());
  request.setRequestHeader('Accept', 'text/html, application/json');
  const fields = new FormData();
  fields.append('file', file);
  fields.append('name', box.dataset.name);
  request.send(fields);
}

const sendAll = (files, box) => { for (const file of box.hasAttribute('data-multiple') ? files : [...files].slice(0, 1)) send(file, box); };

on('change', '[data-drop] input[type=file]', (_, input) => { sendAll([...input.files], input.closest('[data-upload]')); input.value = ''; });
on('dragover', '[data-drop]', (event, zone) => { event.preventDefault(); zone.classList.add('over'); });
on('dragleave', '[data-drop]', (_, zone) => zone.classList.remove('over'));
on('drop', '[data-drop]', (event, zone) => { event.preventDefault(); zone.classList.remove('over'); sendAll(event.dataTransfer.files, zone.closest('[data-upload]')); });
on('click', '[data-file-remove]', (_, button) => {
  const tile = button.closest('.file');
  const box = tile.closest('[data-upload]');
  tile.dispatchEvent(new Event('remove-file'));
  tile.remove();
  box?.querySelector('input[type=file]')?.focus();
  box?.dispatchEvent(new Event('input', { bubbles: true }));
});
