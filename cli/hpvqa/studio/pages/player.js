/* Clips in step. Nobody sees the videos themselves: each frame of a video is drawn on a canvas behind the one in view, and
   both change places only when all clips have come to the same frame, or, moving, to within one. A clip that is ahead
   waits for the others, and where that does not bring them together, all jump to where the first one is. So a machine
   that is too slow shows fewer frames, but never clips that are out of step. */
"use strict";

const SCREEN = 60, STILL = 300, PATIENCE = 700;

class Player {
  /* Views ({video, front, back}), frames a second, how many frames, and who is told of a new frame, and of start and stop. */
  constructor(views, fps, frames, told) {
    Object.assign(this, { views: [...views], fps, frames, told, rate: 1, playing: false, started: false, goal: 0, due: false });
    this.views.forEach((view) => this.watch(view));
    told(0, false);
  }

  watch(view) {
    const { video } = view;
    Object.assign(view, { at: -1, shown: -1, still: false });
    video.muted = true;
    video.addEventListener("loadedmetadata", () => {
      for (const canvas of [view.front, view.back]) [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    });
    video.addEventListener("loadeddata", () => this.aim(view));
    video.addEventListener("seeked", () => {
      if (!this.started && Math.abs(video.currentTime - this.middle(this.goal)) > 1e-3) this.aim(view);
      // Where a clip ends early, or shows a frame for longer, no other frame comes.
      else setTimeout(() => { view.still = !video.seeking; this.touch(); }, STILL);
    });
    video.addEventListener("ended", () => this.touch());
    // What cannot be played is left behind.
    video.addEventListener("error", () => { this.views = this.views.filter((other) => other !== view); this.touch(); });
    const seen = (now, { mediaTime }) => {
      view.at = Math.round(mediaTime * this.fps);
      view.back.getContext("2d").drawImage(video, 0, 0, view.back.width, view.back.height);
      this.touch();
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  }

  /* A time at which a frame is shown, whatever is rounded on the way [s]. */
  middle(frame) {
    return (frame + 0.5) / this.fps;
  }

  aim(view) {
    view.still = false;
    if (view.video.readyState > 0 && !view.video.seeking) view.video.currentTime = this.middle(this.goal);
  }

  /* How many frames clips may be apart while they move: one, or what goes by while a screen shows one picture. */
  get slack() {
    return Math.max(1, Math.ceil(this.rate * this.fps / SCREEN));
  }

  set speed(rate) {
    this.rate = rate;
    for (const { video } of this.views) video.playbackRate = rate;
  }

  /* Show a frame, and stay there. */
  seek(frame) {
    this.halt();
    this.goal = Math.min(Math.max(frame, 0), this.frames - 1);
    this.views.forEach((view) => this.aim(view));
    this.told(this.goal, false);
    this.touch();
  }

  play() {
    if (this.goal >= this.frames - 1) this.seek(0);
    this.playing = true;
    this.told(this.goal, true);
    this.begin = performance.now();
    this.touch();
  }

  pause() {
    if (this.playing) this.seek(this.goal);
  }

  halt() {
    this.playing = this.started = false;
    this.views.forEach(({ video }) => video.pause());
  }

  /* Look once, after all clips have said what they show now. */
  touch() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.look(); });
  }

  look() {
    if (this.playing && !this.views.length) this.count();
    else if (this.started) this.move();
    else {
      const places = this.views.map((view) => view.still ? this.goal : view.at);
      if (Math.max(...places) - Math.min(...places) <= 1) this.present();
      if (this.playing && places.every((place) => place === this.goal)) this.start();
    }
  }

  start() {
    this.started = true;
    this.together = performance.now();
    for (const { video } of this.views) {
      video.playbackRate = this.rate;
      video.play().catch(() => {});
    }
  }

  move() {
    const running = this.views.filter(({ video }) => !video.ended);
    if (!running.length) {
      this.seek(this.frames - 1);
      return;
    }
    const first = Math.min(...running.map((view) => view.at));
    if (Math.max(...this.views.map((view) => view.at)) - first <= this.slack) {
      this.together = performance.now();
      this.goal = Math.min(Math.max(first, 0), this.frames - 1);
      this.present();
      this.told(this.goal, true);
    } else if (performance.now() - this.together > PATIENCE) {
      this.started = false;
      this.goal = Math.min(Math.max(...running.map((view) => view.at)), this.frames - 1);
      this.views.forEach((view) => { view.video.pause(); this.aim(view); });
      return;
    }
    for (const { at: place, video } of running) {
      const ahead = place - first > this.slack;
      if (ahead && !video.paused) video.pause();
      if (!ahead && video.paused) video.play().catch(() => {});
    }
  }

  present() {
    for (const view of this.views.filter((one) => one.shown !== one.at)) {
      [view.front, view.back] = [view.back, view.front];
      view.front.classList.add("front");
      view.back.classList.remove("front");
      view.shown = view.at;
    }
  }

  /* An episode without clips has a clock. */
  count() {
    const now = performance.now(), frames = (now - this.begin) / 1000 * this.fps * this.rate;
    if (frames >= 1) {
      this.begin = now;
      this.goal = Math.min(this.goal + Math.round(frames), this.frames - 1);
    }
    if (this.goal >= this.frames - 1) this.playing = false;
    else this.touch();
    this.told(this.goal, this.playing);
  }

  close() {
    this.halt();
    for (const { video } of this.views) {
      video.removeAttribute("src");
      video.load();
    }
    this.views = [];
  }
}
