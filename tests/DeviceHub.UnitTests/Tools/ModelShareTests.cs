using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.UnitTests.Tools;

public sealed class ModelShareTests
{
    [Fact]
    public void Fleet_of_any_size_has_about_its_mix_of_models()
    {
        var spread = ModelShare.Spread([new(TerminalModel.ScanBox, 3), new(TerminalModel.JsonBox, 1)]).Take(40).ToList();

        Assert.Equal(30, spread.Count(m => m == TerminalModel.ScanBox));
        for (var first = 4; first <= 40; first += 4)
        {
            Assert.Equal(first / 4, spread.Take(first).Count(m => m == TerminalModel.JsonBox));
        }
    }
}
