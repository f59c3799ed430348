/** What the panels of the CI board are held to. */

export const OF_REPOSITORY = '$__conditionalAll(repository IN (${repository:singlequote}), $repository)';
const OF_WORKFLOW = '$__conditionalAll(workflow IN (${workflow:singlequote}), $workflow)';
export const CHOSEN = [OF_REPOSITORY, OF_WORKFLOW];
/** A workflow's name, told apart from its namesakes in other repositories. */
export const NAME = "concat(repository, ' ', workflow)";
