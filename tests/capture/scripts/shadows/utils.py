class AverageMeter:
    def __init__(self):
        self.total = self.count = 0

    def update(self, value, n):
        self.total += value * n
        self.count += n

    @property
    def average(self):
        return self.total / self.count


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean().item()
