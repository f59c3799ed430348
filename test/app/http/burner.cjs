// Keeps the main thread busy now and then, so that a profile has something to see. Loaded by Node itself, and compiled when it is
// first called.
let isBurning = false;

function burnForTheProfile() {
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs) Math.hypot(Math.random(), Math.random());
  if (isBurning) setTimeout(burnForTheProfile, 1);
}

exports.start = () => {
  isBurning = true;
  burnForTheProfile();
};
exports.stop = () => {
  isBurning = false;
};
