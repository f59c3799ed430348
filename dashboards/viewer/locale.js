// Some machines give their browser a language that is no language tag ("en-US@posix"), and Intl throws on it. uPlot asks Intl
// as it loads, so the language is mended before.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
