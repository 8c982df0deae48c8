# Writes the three tables (data.csv) and R's figures (r.csv) that docs/tutorial/public_trials.md sets beside ours.
# Run in docs/tutorial: Rscript figures.R    (R with its recommended packages MASS and survival)

library(MASS)
library(survival)

figures <- data.frame()
note <- function(row, quantity, value) {
  figures <<- rbind(figures, data.frame(row = row, quantity = quantity, value = sprintf("%.12g", value)))
}
save <- function(folder, data) {
  write.csv(data, file.path(folder, "data.csv"), row.names = FALSE, quote = FALSE, na = "")
  write.csv(figures, file.path(folder, "r.csv"), row.names = FALSE, quote = FALSE)
  figures <<- data.frame()
}
hc <- function(fit, power) {
  x <- model.matrix(fit); h <- hatvalues(fit); bread <- solve(crossprod(x))
  sqrt(diag(bread %*% crossprod(x * residuals(fit) / (1 - h)^(power / 2)) %*% bread))
}

# 1. Family therapy or cognitive behavioural therapy against control in anorexia: weights before and after, pounds.
weights <- data.frame(arm = anorexia$Treat, before = anorexia$Prewt, after = anorexia$Postwt)
weights$arm <- relevel(weights$arm, ref = "Cont")
ancova <- summary(lm(after ~ arm + before, weights))$coefficients
centred <- transform(weights, x = before - mean(before))
lin <- lm(after ~ arm * x, centred)
for (arm in c("CBT", "FT")) {
  name <- paste0("arm", arm)
  note(paste0("after.ancova.", arm), "estimate", ancova[name, 1])
  note(paste0("after.ancova.", arm), "std_error", ancova[name, 2])
  note(paste0("after.ancova.", arm), "p_value", ancova[name, 4])
  note(paste0("after.lin.", arm), "estimate", coef(lin)[name])
  note(paste0("after.lin.", arm), "std_error", hc(lin, 2)[name])
  welch <- t.test(weights$after[weights$arm == arm], weights$after[weights$arm == "Cont"])
  note(paste0("after.welch_t.", arm), "estimate", welch$estimate[1] - welch$estimate[2])
  note(paste0("after.welch_t.", arm), "ci_low", welch$conf.int[1])
  note(paste0("after.welch_t.", arm), "ci_high", welch$conf.int[2])
  note(paste0("after.welch_t.", arm), "p_value", welch$p.value)
}
note("after.anova", "statistic", anova(lm(after ~ arm, weights))[1, 4])
note("after.kruskal", "p_value", kruskal.test(after ~ arm, weights)$p.value)
save("anorexia", weights)

# 2. Test against standard chemotherapy in lung cancer: days to death, censored where the trial ended before.
lung <- data.frame(arm = ifelse(veteran$trt == 1, "standard", "test"), days = veteran$time, died = veteran$status,
                   karnofsky = veteran$karno, age = veteran$age)
lung$arm <- factor(lung$arm)
test <- survdiff(Surv(days, died) ~ arm, lung)
note("days.logrank", "statistic", test$chisq)
note("days.logrank", "p_value", pchisq(test$chisq, 1, lower.tail = FALSE))
cox <- summary(coxph(Surv(days, died) ~ arm, lung))$coefficients
note("days.cox", "estimate", cox[1, 1]); note("days.cox", "std_error", cox[1, 3]); note("days.cox", "p_value", cox[1, 5])
cox <- summary(coxph(Surv(days, died) ~ arm + karnofsky + age, lung))$coefficients
note("days.cox.adjusted", "estimate", cox["armtest", 1]); note("days.cox.adjusted", "std_error", cox["armtest", 3])
curve <- survfit(Surv(days, died) ~ arm, lung, conf.type = "log-log")
at <- summary(curve, times = 180)
for (k in 1:2) {
  arm <- c("standard", "test")[k]
  note(paste0("days.kaplan_meier.", arm), "estimate", at$surv[k])
  note(paste0("days.kaplan_meier.", arm), "ci_low", at$lower[k])
  note(paste0("days.kaplan_meier.", arm), "ci_high", at$upper[k])
}
mean_of <- summary(curve, rmean = 180)$table
note("days.rmst", "estimate", mean_of[2, "rmean"] - mean_of[1, "rmean"])
save("veteran", lung)

# 3. Progabide against placebo in epilepsy: seizures in eight weeks, by those of the eight weeks before.
epil$subject <- factor(epil$subject)
seizures <- data.frame(arm = tapply(as.character(epil$trt), epil$subject, head, 1), before = tapply(epil$base, epil$subject, head, 1),
                       age = tapply(epil$age, epil$subject, head, 1), seizures = tapply(epil$y, epil$subject, sum))
seizures$arm <- factor(seizures$arm, levels = c("placebo", "progabide"))
poisson <- glm(seizures ~ arm, poisson, seizures, control = glm.control(epsilon = 1e-14, maxit = 100))
note("seizures.poisson", "estimate", coef(poisson)[2])
x <- model.matrix(poisson); bread <- vcov(poisson); n <- nrow(x)
robust <- bread %*% crossprod(x * (seizures$seizures - fitted(poisson))) %*% bread * n / (n - 2)
note("seizures.poisson", "std_error", sqrt(diag(robust))[2])
negative <- glm.nb(seizures ~ arm, seizures)
note("seizures.negative_binomial", "estimate", coef(negative)[2])
adjusted <- glm.nb(seizures ~ arm + before + age, seizures, control = glm.control(epsilon = 1e-12, maxit = 100))
note("seizures.negative_binomial.adjusted", "estimate", coef(adjusted)[2])
ranks <- wilcox.test(seizures ~ arm, seizures, exact = FALSE)
note("seizures.mann_whitney", "p_value", ranks$p.value)
save("epilepsy", seizures)
