// Training, and the files it writes. Skipped, with the reason, where the torch plugin is not built.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/learn/learn_test_data.h"
#include "mete/learn/model.h"
#include "mete/learn/torch_runtime.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TrainOptions quick() {
  TrainOptions options;
  options.source = "sweep.h5";
  options.batch = 100;
  options.epochs = 3;
  return options;
}

std::string why_refused(const TrainingData& data, const TrainOptions& options) {
  const auto result = train_clock_model(data, options);
  if (result) return "it was not refused";
  EXPECT_EQ(Errc::invalid, result.error().code) << result.error().what;
  EXPECT_EQ(std::string::npos, result.error().what.find('\n'));
  return result.error().what;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What is refused needs no libtorch.

TEST(TrainerRefuses, OneClockOnly) {
  auto data = test::known_rule(2, 50);
  for (auto& choices : data.choices) {
    for (auto& choice : choices) choice.frequency = 1.38e9;
  }
  EXPECT_TRUE(has(why_refused(data, quick()), "all rows want the same clock, 1.380 GHz"));
}

TEST(TrainerRefuses, AnEmptyTable) {
  EXPECT_TRUE(has(why_refused(TrainingData(), quick()), "sweep.h5: has no rows"));
}

TEST(TrainerRefuses, AFeatureWithoutValuesAndNamesIt) {
  auto data = test::known_rule(2, 50);
  for (auto& v : data.features[3]) v = kNan;
  EXPECT_TRUE(has(why_refused(data, quick()), "GPU_CORE_ACTIVITY-gpu-0"));
}

TEST(TrainerRefuses, TooFewRows) {
  EXPECT_TRUE(has(why_refused(test::known_rule(2, 2), quick()), "only 4 rows"));
}

TEST(TrainerRefuses, NoChoices) {
  auto data = test::known_rule(2, 50);
  for (auto& choices : data.choices) choices.clear();
  EXPECT_TRUE(has(why_refused(data, quick()), "no application has a clock to choose"));
}

TEST(TrainerRefuses, AnUnknownApplicationAndListsThem) {
  auto options = quick();
  options.leave_app_out = "resnet";
  const auto why = why_refused(test::known_rule(3, 50), options);
  EXPECT_TRUE(has(why, "app-0, app-1, app-2")) << why;
  options.leave_app_out = "app";
  EXPECT_TRUE(has(why_refused(test::known_rule(3, 50), options), "leaves nothing to train on"));
}

TEST(TrainerRefuses, OptionsOutOfRange) {
  const auto data = test::known_rule(2, 50);
  auto options = quick();
  options.epochs = 0;
  EXPECT_TRUE(has(why_refused(data, options), "--epochs 0"));
  options = quick();
  options.batch = 1;
  EXPECT_TRUE(has(why_refused(data, options), "--batch 1"));
  for (const double rate : {0.0, -1.0, 2.0, kNan}) {
    options = quick();
    options.learning_rate = rate;
    EXPECT_TRUE(has(why_refused(data, options), "--learning-rate"));
  }
  for (const auto& hidden : std::vector<std::vector<std::size_t>>{{}, {0}, {1U << 20U}}) {
    options = quick();
    options.hidden = hidden;
    EXPECT_TRUE(has(why_refused(data, options), "--hidden"));
  }
}

class Training : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto runtime = open_torch_runtime(); !runtime) {
      GTEST_SKIP() << runtime.error().what;
    }
    folder_ = fmt::format("{}/mete-trainer-{}", ::testing::TempDir(), ::getpid());
    ASSERT_TRUE(make_directories(folder_));
  }
  /// A file of this test's folder with that content.
  std::string file(const std::string& name, const std::string& bytes) {
    const auto path = path_join(folder_, name);
    EXPECT_TRUE(write_file_atomically(path, bytes));
    return path;
  }
  std::string folder_;
};

TEST_F(Training, LearnsAKnownRuleAndTellsTheErrorOnWhatItHasNotSeen) {
  auto options = quick();
  options.epochs = 60;
  options.learning_rate = 0.01;
  options.leave_app_out = "app-2";
  const auto model = train_clock_model(test::known_rule(9, 32), options).value();
  EXPECT_EQ(std::vector<std::string>{"app-2"}, model.held_out_apps);
  EXPECT_EQ(8U * 32, model.rows);
  ASSERT_TRUE(model.held_out);
  EXPECT_EQ(32U * 11, model.held_out->examples);
  // The rule is smooth: far better than always saying one clock, on the unseen application too.
  EXPECT_LT(model.training.mean_error, 0.3 * model.training.guess_error);
  EXPECT_LT(model.held_out->mean_error, 0.5 * model.held_out->guess_error);
  EXPECT_LT(model.epoch_errors.back(), 0.3 * model.epoch_errors.front());
}

TEST_F(Training, SameSeedSameModel) {
  const auto data = test::known_rule(3, 40);
  auto options = quick();
  const auto a = train_clock_model(data, options).value();
  const auto b = train_clock_model(data, options).value();
  EXPECT_EQ(a.epoch_errors, b.epoch_errors);
  EXPECT_EQ(a.training.mean_error, b.training.mean_error);
  options.seed = 2;
  EXPECT_NE(a.epoch_errors, train_clock_model(data, options).value().epoch_errors);
}

TEST_F(Training, TheFileLoadsAndSaysWhatTheTrainerSaid) {
  const auto data = test::known_rule(3, 40);
  const auto trained = train_clock_model(data, quick()).value();
  const auto model = load_model(file("m.pt", trained.bytes)).value();
  EXPECT_EQ(trained.metadata.dump(), model->metadata().dump());
  EXPECT_EQ("GPU_POWER", model->metadata()["features"].items()[1]["name"].as_string());
  EXPECT_EQ("sweep.h5", model->metadata()["training"]["source"].as_string());
  EXPECT_EQ(1.4e9, model->metadata()["clocks_hz"].items().back().as_number());
  // The error that the trainer told, computed again from the file.
  const std::vector<bool> all(3, true);
  const Examples examples(data, all);
  const Predictor predict = [&](std::span<const float> rows, std::span<float> out) -> Result<void> {
    const std::vector<double> wide(rows.begin(), rows.end());
    std::vector<double> answers(out.size());
    model->predict(wide, answers);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(answers[i]);
    return {};
  };
  const auto again = evaluate(examples, predict, {1e9}, 1.0).value();
  EXPECT_NEAR(trained.training.mean_error, again.mean_error, 1e3);
}

TEST_F(Training, ANanRowGivesANanOutputAndLeavesOthersAlone) {
  const auto trained = train_clock_model(test::known_rule(3, 40), quick()).value();
  const auto model = load_model(file("nan.pt", trained.bytes)).value();
  const std::vector<double> good{1e9, 150, 0.98, 0.5, 0.5, 0.5};
  auto rows = good;
  rows.insert(rows.end(), {1e9, kNan, 0.98, 0.5, 0.5, 0.5});
  std::vector<double> one(1);
  std::vector<double> two(2);
  model->predict(good, one);
  model->predict(rows, two);
  EXPECT_NEAR(one[0], two[0], 1e-6);
  EXPECT_TRUE(std::isnan(two[1]));
}

TEST_F(Training, AConstantFeatureIsIgnoredEvenWhenItVariesLater) {
  auto data = test::known_rule(3, 40);
  for (auto& v : data.features[2]) v = 1;
  const auto trained = train_clock_model(data, quick()).value();
  EXPECT_TRUE(std::any_of(trained.notes.begin(), trained.notes.end(), [](const auto& note) {
    return has(note, "GPU_UTILIZATION never varies");
  }));
  const auto model = load_model(file("constant.pt", trained.bytes)).value();
  std::vector<double> out(2);
  model->predict(std::vector<double>{1e9, 150, 1, 0.5, 0.5, 0.5, 1e9, 150, 0.3, 0.5, 0.5, 0.5},
                 out);
  EXPECT_EQ(out[0], out[1]);
}

TEST_F(Training, StopsWhenInterrupted) {
  struct Now final : Interrupt {
    int signal() const noexcept override { return 2; }
  } now;
  const auto result = train_clock_model(test::known_rule(3, 40), quick(), {}, &now);
  ASSERT_FALSE(result);
  EXPECT_EQ(Errc::failed, result.error().code);
}

TEST_F(Training, ProgressEndsAtItsTotal) {
  double last = 0;
  double total = -1;
  const auto report = [&](double done, double all, const std::string&) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  ASSERT_TRUE(train_clock_model(test::known_rule(3, 40), quick(), report));
  EXPECT_EQ(total, last);
}

TEST_F(Training, WrongModelFilesAreRefusedInOneLine) {
  const auto refused = [](const std::string& path) {
    const auto model = load_model(path);
    if (model) return std::string("it was not refused");
    EXPECT_EQ(Errc::invalid, model.error().code);
    EXPECT_EQ(std::string::npos, model.error().what.find('\n')) << model.error().what;
    return model.error().what;
  };
  const auto trained = train_clock_model(test::known_rule(3, 40), quick()).value();
  EXPECT_TRUE(has(refused(folder_ + "/none.pt"), "no such file"));
  EXPECT_TRUE(has(refused(folder_), "is a folder"));
  EXPECT_TRUE(has(refused(file("text.pt", "hello")), "is no TorchScript file"));
  EXPECT_TRUE(has(refused(file("empty.pt", "")), "is no TorchScript file"));
  EXPECT_TRUE(has(refused(file("cut.pt", trained.bytes.substr(0, trained.bytes.size() / 2))),
                  "is no TorchScript file"));
}

/// Python's PyTorch, which wrote neither our file nor our reader.
class TrainingPython : public Training {
 protected:
  void SetUp() override {
    Training::SetUp();
    if (IsSkipped()) return;
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test
    if (std::system("/usr/bin/python3 -c 'import torch' > /dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no PyTorch for /usr/bin/python3: apt install python3-torch";
    }
  }
  std::string python(const std::string& code) {
    const auto script = file("script.py", code);
    const auto out = path_join(folder_, "out.txt");
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test
    const int status = std::system(
        fmt::format("cd {} && /usr/bin/python3 {} > {} 2> {}.err", folder_, script, out, out)
            .c_str());
    EXPECT_EQ(0, status) << read_file(out + ".err").value();
    return read_file(out).value();
  }
};

TEST_F(TrainingPython, OpensOurFileAndGivesTheSameOutputs) {
  const auto trained = train_clock_model(test::known_rule(3, 40), quick()).value();
  const auto model = load_model(file("ours.pt", trained.bytes)).value();
  const auto text = python(R"(
import torch, json
extra = {"mete.json": ""}
m = torch.jit.load("ours.pt", _extra_files=extra)
assert json.loads(extra["mete.json"])["format"] == "mete clock model"
m.eval()
for clock in (0.7e9, 1.1e9, 1.4e9):
    for phi in (0.0, 0.3, 1.0):
        print(repr(m(torch.tensor([[clock, 161.0, 0.985, 0.61, 0.44, phi]])).item()))
)");
  std::size_t i = 0;
  const auto lines = split(trim(text), '\n');
  ASSERT_EQ(9U, lines.size());
  for (const double clock : {0.7e9, 1.1e9, 1.4e9}) {
    for (const double phi : {0.0, 0.3, 1.0}) {
      std::vector<double> out(1);
      model->predict(std::vector<double>{clock, 161.0, 0.985, 0.61, 0.44, phi}, out);
      EXPECT_NEAR(parse_double(lines[i++]).value(), out[0], 1e-6);
    }
  }
}

TEST_F(TrainingPython, TheTutorialsOwnModelLoadsAndOthersAreRefused) {
  const auto outputs = python(R"(
import torch
from torch import nn
torch.manual_seed(1)
def net(n, m=1):
    return nn.Sequential(nn.BatchNorm1d(n), nn.Linear(n, n), nn.Sigmoid(), nn.Linear(n, n), nn.Sigmoid(),
                         nn.Linear(n, n), nn.Sigmoid(), nn.Linear(n, m)).eval()
for name, model in (("tutorial", net(6)), ("five", net(5)), ("two_outputs", net(6, 2)), ("double", net(6).double())):
    torch.jit.script(model).save(name + ".pt")
torch.save({"a": 1}, "not_script.pt")
print(repr(net(6)(torch.zeros(1, 6)).item() * 0))
torch.manual_seed(1)
print(repr(net(6)(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])).item()))
)");
  const auto at = [&](const char* name) { return load_model(path_join(folder_, name)); };
  const auto tutorial = at("tutorial.pt");
  ASSERT_TRUE(tutorial) << tutorial.error().what;
  EXPECT_TRUE((*tutorial)->metadata().is_null());
  std::vector<double> out(1);
  (*tutorial)->predict(std::vector<double>{1, 2, 3, 4, 5, 6}, out);
  EXPECT_NEAR(parse_double(split(trim(outputs), '\n')[1]).value(), out[0], 1e-6);
  EXPECT_TRUE(at("double.pt"));
  EXPECT_TRUE(has(at("five.pt").error().what, "takes 5 inputs per row, but a clock model has 6"))
      << at("five.pt").error().what;
  EXPECT_TRUE(has(at("two_outputs.pt").error().what, "gives 2 × 2 numbers for 2 rows"))
      << at("two_outputs.pt").error().what;
  EXPECT_TRUE(has(at("not_script.pt").error().what, "is no TorchScript file"))
      << at("not_script.pt").error().what;
}

}  // namespace
}  // namespace mete
