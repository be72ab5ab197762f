/** A user's initials, in a colour of their own. */
export function showAvatar(element, { id, username }) {
  element.textContent = username.slice(0, 2);
  element.style.setProperty("--hue", (id * 137) % 360); // the golden angle: neighbours differ most
}
