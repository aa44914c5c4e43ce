from torch import nn
from torch.nn import functional as F


class LogNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, stride=2)
        self.bn = nn.BatchNorm2d(10)
        self.fc = nn.Linear(10, classes)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x)))
        x = F.dropout(x, 0.1, training=self.training)
        return F.log_softmax(self.fc(x.mean((2, 3))), dim=1)


def build(classes):
    return LogNet(classes)
