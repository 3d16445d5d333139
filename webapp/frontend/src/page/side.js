// The case file has no scroll bar of its own: css/task.css needs its height and that of the head above it.
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.matches('.case-file')) target.style.setProperty('--side', `${target.offsetHeight}px`);
    else document.documentElement.style.setProperty('--case-head', `${target.offsetHeight}px`);
  }
});
for (const element of document.querySelectorAll('.case-file, .case-head')) watch.observe(element);
