// While the page is looked at it is asked for again every 5 s, and what has changed is changed in
// place: scroll, focus, selection and what was unfolded stay.
let tag = '', silent = null;
const become = (old, now) => {
  if (old.nodeName !== now.nodeName) return old.replaceWith(now);
  if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== now.data) old.data = now.data; return; }
  for (const { name } of [...old.attributes]) if (name !== 'open' && !now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [were, are] = [[...old.childNodes], [...now.childNodes]];
  are.forEach((child, place) => were[place] ? become(were[place], child) : old.append(child));
  were.slice(are.length).forEach(child => child.remove());
};
const poll = async () => {
  if (document.hidden) return;
  try {
    const headers = tag ? { 'If-None-Match': tag } : {};
    const answer = await fetch(location.href, { headers, signal: AbortSignal.timeout(3000) });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const part of ['header', 'main', 'footer']) become(document.querySelector(part), page.querySelector(part));
      [document.title, tag] = [page.title, answer.headers.get('ETag')];
    } else if (answer.status !== 304) throw answer.status;
    silent?.remove();
    silent = null;
  } catch {
    if (silent) return;
    silent = Object.assign(document.createElement('p'), { className: 'silent', role: 'alert' });
    silent.textContent = `recess has not answered since ${new Date().toLocaleTimeString()}: this page shows what was before.`;
    document.body.prepend(silent);
  }
};
setInterval(poll, 5000);
document.addEventListener('visibilitychange', poll);
