/** Let the browser draw and listen before what is left to do goes on. */
export const pause = (): Promise<void> => new Promise((resume) => setTimeout(resume));
