;; Input of libraries.sh: emacs -Q --batch -l mail.el -f CASE. Emacs ends with an exit code of its own
;; when sendmail fails, or says anything.
(require 'sendmail)

(setq send-mail-function 'sendmail-send-it
      user-full-name "Fr"
      user-mail-address "f@lab.example"
      mail-host-address "lab.example")
(set-language-environment "UTF-8")

(defun send (header)
  "Send HEADER and a text, as mail-mode does."
  (with-temp-buffer
    (insert header mail-header-separator "\ngrüße\n.\nFrom here\n..\nend")
    (sendmail-send-it)))

(defun plain ()
  "Emacs does not wait for sendmail."
  (send "To: bob@example.com\nSubject: Ordér\n"))

(defun all ()
  (setq mail-interactive t
        mail-specify-envelope-from t
        mail-envelope-from "bounce@lab.example"
        mail-use-dsn '(failure delay))
  (send (concat "From: Shop <shop@lab.example>\n"
                "To: Bob <bob@example.com>,\n    staff\n"
                "Bcc: x@hidden.example,\n    y@hidden.example\nSubject: s\n")))

(defun resent ()
  (setq mail-interactive t)
  (send (concat "Resent-From: Fr <f@lab.example>\nResent-To: bob@example.com\n"
                "From: shop@lab.example\n"
                "To: not-again@example.com\nDate: Sun, 22 Nov 2026 03:30:34 +0000\n"
                "Message-ID: <1@lab.example>\nSubject: s\n")))

(defun refused ()
  (setq mail-interactive t)
  (send "To: no@refused.example\nSubject: s\n"))
